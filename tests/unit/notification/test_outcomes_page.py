"""The page of outcomes is what the code says."""

from tests.telegram_answers import PAGE, page


async def test_the_page_of_outcomes_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == await page(), "run python -m tests.telegram_answers"
