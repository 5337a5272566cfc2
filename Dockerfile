# Every process of the platform, one final stage each; they share all layers but their own code. Nothing in a final stage
# runs as root or writes anything but /tmp (and, for the stand-in, its journal).
#
#   docker build --target loms-api .
#
# The base is overridable (a company's mirror, another patch release): --build-arg PYTHON_IMAGE=…
ARG PYTHON_IMAGE=python:3.11.14-slim-trixie

# --- the packages of runtime.lock, installed where pip is ---------------------------------------------------------
FROM ${PYTHON_IMAGE} AS packages
RUN python -m venv --without-pip /opt/onelane
COPY deploy/containers/runtime.lock /tmp/runtime.lock
# Of a company's mirror, if there is one; it stays in this stage.
ARG PIP_INDEX_URL
RUN python -m pip --python /opt/onelane/bin/python install --quiet --no-cache-dir --disable-pip-version-check \
    --require-hashes --no-deps --only-binary :all: -r /tmp/runtime.lock

# --- the same with Faust, for the one process that imports it -----------------------------------------------------
FROM ${PYTHON_IMAGE} AS packages-projection
RUN python -m venv --without-pip /opt/onelane
COPY deploy/containers/projection.lock /tmp/projection.lock
ARG PIP_INDEX_URL
RUN python -m pip --python /opt/onelane/bin/python install --quiet --no-cache-dir --disable-pip-version-check \
    --require-hashes --no-deps --only-binary :all: -r /tmp/projection.lock

# --- what every process stands on -----------------------------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS base
RUN groupadd --gid 10001 onelane \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin onelane
ENV PATH=/opt/onelane/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 LANG=C.UTF-8 TZ=UTC
WORKDIR /app
COPY deploy/containers/ready.py deploy/containers/ready.py

FROM base AS platform
COPY --from=packages /opt/onelane /opt/onelane
COPY buf buf
COPY rpc rpc
COPY events events
COPY chassis chassis
COPY services/__init__.py services/__init__.py

# --- loms -----------------------------------------------------------------------------------------------------------
FROM platform AS loms
COPY outbox outbox
COPY services/loms services/loms
RUN python -m compileall -q .
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.loms"]

FROM loms AS loms-schema
CMD ["migrate"]

FROM loms AS loms-api
EXPOSE 8083 9101
CMD ["api"]

FROM loms AS loms-relay
EXPOSE 9101
CMD ["relay"]

# --- notification ---------------------------------------------------------------------------------------------------
FROM platform AS notification
COPY inbox inbox
COPY services/notification services/notification
RUN python -m compileall -q .
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.notification"]

FROM notification AS notification-schema
CMD ["migrate"]

FROM notification AS notification-consumer
EXPOSE 9101
CMD ["consumer"]

FROM notification AS notification-sender
EXPOSE 9101
CMD ["sender"]

FROM notification AS notification-bot
EXPOSE 9101
CMD ["bot"]

# --- product --------------------------------------------------------------------------------------------------------
FROM platform AS product
COPY services/product services/product
RUN python -m compileall -q .
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.product"]

FROM product AS product-schema
CMD ["migrate"]

FROM product AS product-api
EXPOSE 8082 8085 9101
CMD ["api"]

# --- cart -----------------------------------------------------------------------------------------------------------
FROM platform AS cart
COPY services/cart services/cart
RUN python -m compileall -q .
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.cart"]

FROM cart AS cart-schema
CMD ["migrate"]

FROM cart AS cart-api
EXPOSE 8080 9101
CMD ["api"]

# --- projection, with packages of its own ------------------------------------------------------------------------------
FROM base AS projection
COPY --from=packages-projection /opt/onelane /opt/onelane
COPY events events
COPY chassis chassis
COPY services/__init__.py services/__init__.py
COPY services/projection services/projection
RUN python -m compileall -q .
USER 10001:10001
EXPOSE 8087 9101
ENTRYPOINT ["python", "-m", "services.projection"]
CMD ["view"]

# --- what prepares the servers --------------------------------------------------------------------------------------
FROM platform AS topics
RUN python -m compileall -q .
USER 10001:10001
ENTRYPOINT ["python", "-m", "events", "create"]

FROM platform AS databases
COPY stack/__init__.py stack/databases.py stack/
COPY stack/sql stack/sql
COPY deploy/postgres/databases.py deploy/postgres/databases.py
RUN python -m compileall -q .
USER 10001:10001
ENTRYPOINT ["python", "-m", "deploy.postgres.databases"]

# --- the Telegram stand-in; its journal is data ---------------------------------------------------------------------
FROM platform AS telegram
COPY stack/__init__.py stack/__init__.py
COPY stack/telegram stack/telegram
RUN python -m compileall -q . && install --directory --owner onelane --group onelane /var/lib/telegram
USER 10001:10001
VOLUME /var/lib/telegram
EXPOSE 8081
ENTRYPOINT ["python", "-m", "stack.telegram", "--address", "0.0.0.0:8081", "--folder", "/var/lib/telegram"]

# --- pgbouncer, the distribution's: 1.24, which carries prepared statements -------------------------------------------
# Its package wants tools for clusters of PostgreSQL, 160 MB with their Perl: only the program is taken.
FROM base AS pooler-package
RUN apt-get update --quiet --quiet && cd /tmp && apt-get download --quiet --quiet pgbouncer \
    && dpkg-deb --extract pgbouncer_*.deb /pooler

FROM base AS pgbouncer
RUN apt-get update --quiet --quiet \
    && DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends \
    libcares2 libevent-2.1-7t64 libpam0g libssl3t64 libsystemd0 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=pooler-package /pooler/usr/sbin/pgbouncer /usr/sbin/pgbouncer
COPY deploy/pgbouncer/pgbouncer.ini deploy/pgbouncer/run.py deploy/pgbouncer/
USER 10001:10001
EXPOSE 6432
ENTRYPOINT ["python", "deploy/pgbouncer/run.py"]
