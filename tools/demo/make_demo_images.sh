#!/bin/bash
# Makes the images of the demo's cluster, without a daemon: the shop (Python with OpenTelemetry's
# SDK) and the OpenTelemetry Collector, of what tools/setup.sh installed.
#
#   make_demo_images.sh FOLDER
set -euo pipefail
folder=$1
demo=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
make_image=$demo/../images/make_image.py
setup=$demo/../setup.sh

"$make_image" "$folder/collector.tar" bed.local/otelcol:demo \
  --file "/otelcol=$("$setup" path otelcol)/otelcol" --entry '["/otelcol", "--config=/etc/otelcol/config.yaml"]' \
  --user 65532:65532

root=$folder/shop
library=/usr/lib/python3.11
mkdir -p "$root$library" "$root/app"
# The standard library but for what no service imports.
tar -C "$library" --exclude=__pycache__ --exclude=test --exclude=idlelib --exclude=lib2to3 --exclude=ensurepip \
  --exclude='config-*' -c . | tar -C "$root$library" -x
cp -r "$("$setup" path senders)/python" "$root/app/packages"
cp "$demo/shop.py" "$root/app/shop.py"
find "$root/app/packages" -name __pycache__ -type d -prune -exec rm -rf {} +
# What the extension modules load, each at the place it has here.
find "$root" -name '*.so*' -type f -print0 | xargs -0 ldd 2>/dev/null | grep -o '/[^ ]*\.so[^ ]*' | sort -u |
  while read -r file; do
    [[ $file == "$root"* ]] || install -D "$file" "$root$file"
  done
"$make_image" "$folder/shop.tar" bed.local/shop:demo --root "$root" --program /usr/bin/python3.11=/usr/bin/python3.11 \
  --folder /tmp --env PYTHONPATH=/app/packages --env PYTHONDONTWRITEBYTECODE=1 --env PYTHONUNBUFFERED=1 \
  --entry '["/usr/bin/python3.11", "/app/shop.py"]' --user 65532:65532
rm -rf "$root"
