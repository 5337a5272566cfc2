#!/usr/bin/env bash
# Whether the broker of this container answers: asked which versions of the protocol it speaks (ApiVersions, version 0), it
# says so without an error. A client of Java's would cost a second of a core each time.
set -euo pipefail

exec 3<>"/dev/tcp/127.0.0.1/${KAFKA_PORT:-9092}"
# Length 10; key 18, version 0; correlation 1; no client id.
printf '\0\0\0\012\0\022\0\0\0\0\0\001\377\377' >&3
# Length, correlation, then the code of the error: 0.
answer=$(timeout 3 head -c 10 <&3 | od -A n -t x1 | tr -d ' \n')
[[ ${answer:8:12} == 000000010000 ]]
