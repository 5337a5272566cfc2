#!/usr/bin/env bash
# One broker of a container: fill in server.properties, format the data the first time, become the broker.
# Told: KAFKA_NODE_ID, KAFKA_HOST (how others reach it), KAFKA_VOTERS, KAFKA_CLUSTER_ID, KAFKA_HEAP;
# and, where the defaults of a cluster of three do not fit, the rest below.
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
data=${KAFKA_DATA:-/var/lib/kafka/data}
properties=${KAFKA_PROPERTIES:-/tmp/server.properties}
java=(java -XX:+UseSerialGC "-Dlog4j2.configurationFile=$here/log4j2.xml" -cp "${KAFKA_LIBS:-/opt/kafka/libs}/*")

template=$(<"$here/server.properties")
fill() { template=${template//"\${$1}"/"$2"}; }
fill node_id "$KAFKA_NODE_ID"
fill listen_host "${KAFKA_LISTEN_HOST:-0.0.0.0}"
fill host "$KAFKA_HOST"
fill port "${KAFKA_PORT:-9092}"
fill controller_port "${KAFKA_CONTROLLER_PORT:-9093}"
fill voters "$KAFKA_VOTERS"
fill replicas "${KAFKA_REPLICAS:-3}"
fill in_sync_min "${KAFKA_IN_SYNC_MIN:-2}"
fill data "$data"
printf '%s\n' "$template" >"$properties"

"${java[@]}" kafka.tools.StorageTool format --ignore-formatted -t "$KAFKA_CLUSTER_ID" -c "$properties"
exec "${java[@]}" "-Xms$KAFKA_HEAP" "-Xmx$KAFKA_HEAP" -XX:+ExitOnOutOfMemoryError kafka.Kafka "$properties"
