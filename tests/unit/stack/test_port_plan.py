from collections.abc import Collection

import pytest

from stack.errors import PortInUse
from stack.port_plan import Machine, SamePort, planned_ports
from stack.settings import BadSetting, settings_of


def a_machine(taken: Collection[int] = ()) -> Machine:
    def require_free(port: int, setting: str) -> None:
        if port in taken:
            raise PortInUse(port, setting=setting, holder="somebody (pid 7)")

    return Machine(
        is_free=lambda port: port not in taken,
        free_ports=lambda count: list(range(20_000, 20_000 + count)),
        require_free=require_free,
    )


def test_defaults_are_used_and_several_listeners_stand_side_by_side() -> None:
    plan = planned_ports(settings_of({}), {"postgres": 1, "kafka": 3, "telegram": 0, "health": 2}, a_machine())

    assert plan == {"postgres": (5432,), "kafka": (9092, 9093, 9094), "health": (9101, 9102)}


def test_postgres_moves_to_the_next_free_port() -> None:
    plan = planned_ports(settings_of({}), {"postgres": 1}, a_machine(taken={5432, 5433}))

    assert plan == {"postgres": (5434,)}


def test_a_chosen_port_of_postgres_does_not_move() -> None:
    with pytest.raises(PortInUse):
        planned_ports(settings_of({"ONELANE_POSTGRES_PORT": "5432"}), {"postgres": 1}, a_machine(taken={5432}))


def test_any_other_taken_port_is_refused_by_number_setting_and_holder() -> None:
    with pytest.raises(PortInUse, match=r"port 9093 \(ONELANE_KAFKA_PORT\) is in use by somebody \(pid 7\)"):
        planned_ports(settings_of({}), {"kafka": 3}, a_machine(taken={9093}))


def test_zero_means_any_free_port() -> None:
    plan = planned_ports(settings_of({"ONELANE_KAFKA_PORT": "0"}), {"kafka": 2}, a_machine())

    assert plan == {"kafka": (20_000, 20_001)}


def test_a_list_must_have_the_length() -> None:
    with pytest.raises(BadSetting, match="one port, or 3 of them"):
        planned_ports(settings_of({"ONELANE_KAFKA_PORT": "1,2"}), {"kafka": 3}, a_machine())


def test_one_port_for_two_listeners_is_refused() -> None:
    settings = settings_of({"ONELANE_VALKEY_PORT": "8081"})

    with pytest.raises(SamePort, match="ONELANE_VALKEY_PORT and ONELANE_TELEGRAM_PORT"):
        planned_ports(settings, {"valkey": 1, "telegram": 1}, a_machine())
