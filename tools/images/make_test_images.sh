#!/bin/bash
# Makes the images that every node of the test cluster knows: pause, the process of each pod's
# sandbox, and testtool with busybox's shell. tools/setup.sh calls it.
#
#   make_test_images.sh FOLDER TESTTOOL
set -euo pipefail
folder=$1 testtool=$2
make_image=$(dirname "${BASH_SOURCE[0]}")/make_image.py

"$make_image" "$folder/pause.tar" bed.local/pause:1 \
  --file "/testtool=$testtool" --entry '["/testtool", "pause"]' --user 65532:65532

links=()
for program in sh cat env id kill ls nslookup ps sleep tail wget; do
  links+=(--link "/bin/$program=busybox")
done
"$make_image" "$folder/testtool.tar" bed.local/testtool:1 \
  --file "/testtool=$testtool" --file /bin/busybox=/bin/busybox "${links[@]}" --folder /tmp \
  --entry '["/testtool"]' --cmd '["web"]' --user 65532:65532
