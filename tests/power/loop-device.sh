#!/usr/bin/env bash
# The power cut on a real filesystem: ext4 on a loop device, copied while the program writes.
#
#   sudo tests/power/loop-device.sh [PROGRAM] [ROUNDS]
#
# PROGRAM is the built binary (target/release/escrr), ROUNDS how many copies are taken (20). Needs
# Linux, root, loop devices, mkfs.ext4 and, for exact cuts, dmsetup with the linear target.
#
# Each round makes a fresh home on the filesystem and runs the program against the sandbox,
# forwards or back. After a number of lines on its stdout, chosen by SEED (1), the device is held
# still for a moment and its backing file is copied: what had reached the disk by then, and nothing
# that only the page cache knew. Afterwards each copy is mounted, which replays the filesystem's
# journal as a start after a power cut does, and the home is opened: all lines read before the cut
# have to be its first ones. Where device-mapper is missing the program is stopped for the moment
# of the copy instead: then no copy falls into the middle of one of its calls.
#
# It prints how many of the copies hold, and ends with 1 if one does not.
set -euo pipefail

program=$(realpath "${1:-target/release/escrr}")
rounds=${2:-20}
RANDOM=${SEED:-1}
size_mib=96

[ "$(id -u)" = 0 ] || { echo "skipped: only root may mount"; exit 0; }
work=$(mktemp -d "${TMPDIR:-/tmp}/escrr-power.XXXXXX")
mapped="escrr-power-$$"
held="" device="" sandbox=""

clean() {
  set +e
  [ -n "$sandbox" ] && kill "$sandbox" && wait "$sandbox"
  mountpoint -q "$work/copy" && umount "$work/copy"
  mountpoint -q "$work/disk" && umount "$work/disk"
  [ -n "$held" ] && dmsetup remove "$held"
  [ -n "$device" ] && losetup -d "$device"
  rm -rf "$work"
} 2>/dev/null
trap clean EXIT

mkdir "$work/disk" "$work/copy" "$work/world" "$work/said"
truncate -s "${size_mib}M" "$work/image"
mkfs.ext4 -q "$work/image"
device=$(losetup --find --show "$work/image") || { echo "skipped: no loop device"; exit 0; }
target=$device
if dmsetup create "$mapped" --table "0 $((size_mib * 2048)) linear $device 0" 2>/dev/null; then
  held=$mapped
  dmsetup mknodes "$mapped"
  target="/dev/mapper/$mapped"
else
  echo "no device-mapper: the program is stopped while a copy is taken"
fi
mount -t ext4 "$target" "$work/disk" || { echo "skipped: nothing may be mounted here"; exit 0; }

# Nobody's own settings decide what happens.
for name in "${!ESCRR_@}"; do unset "$name"; done
export HOME=$work NO_COLOR=1

# A fresh pretend cloud, for a run after a rollback meets what the rollback kept.
fresh_sandbox() {
  [ -z "$sandbox" ] || { kill "$sandbox" && wait "$sandbox"; } 2>/dev/null || true
  rm -rf "$work/world" "$work/sandbox.json"
  ESCRR_HOME=$work/world "$program" sandbox start >"$work/sandbox.json" 2>/dev/null &
  sandbox=$!
  until [ -s "$work/sandbox.json" ]; do kill -0 "$sandbox"; done
}

# cut_power FILE [PROCESS]: copies the disk as it is at this moment.
cut_power() {
  if [ -n "$held" ]; then
    dmsetup suspend --nolockfs --noflush "$held"
    cp --sparse=always "$work/image" "$1"
    dmsetup resume "$held"
  else
    [ -z "${2:-}" ] || kill -STOP "$2" 2>/dev/null || true
    cp --sparse=always "$work/image" "$1"
    [ -z "${2:-}" ] || kill -CONT "$2" 2>/dev/null || true
  fi
}

# round NUMBER COMMAND...: the program, and a cut after some of its lines.
round() {
  local number=$1 line lines=0 after=$((1 + RANDOM % 70)) said="$work/said/$1" process
  shift
  mkfifo "$work/pipe"
  ESCRR_HOME="$work/disk/$number" "$program" "$@" --yes --output ndjson \
    --sandbox="$work/sandbox.json" >"$work/pipe" 2>"$work/error" &
  process=$!
  while IFS= read -r line; do
    lines=$((lines + 1))
    [ "$lines" -gt "$after" ] || printf '%s\n' "$line" >>"$said"
    [ "$lines" -ne "$after" ] || cut_power "$work/image.$number" "$process"
  done <"$work/pipe"
  wait "$process" || { echo "round $number: $* failed"; cat "$work/error"; exit 1; }
  rm "$work/pipe"
  # Too few lines for this cut: cut at the end.
  [ -e "$work/image.$number" ] || cut_power "$work/image.$number"
}

for number in $(seq "$rounds"); do
  fresh_sandbox
  round "$number" run
  # Every second home is cut on the way back instead; what it said before stays promised.
  if [ $((number % 2)) = 0 ]; then
    rm "$work/image.$number" "$work/said/$number"
    ESCRR_HOME="$work/disk/$number" "$program" events --output ndjson >"$work/said/$number"
    round "$number" rollback
  fi
done

holds=0 unmounted=0 entries=0
for number in $(seq "$rounds"); do
  if ! mount -t ext4 -o loop "$work/image.$number" "$work/copy" 2>/dev/null; then
    unmounted=$((unmounted + 1))
    continue
  fi
  code=0
  ESCRR_HOME="$work/copy/$number" "$program" events --output ndjson \
    >"$work/read" 2>"$work/error" || code=$?
  # The first line of each process names the format; the rest are entries.
  grep -v '"type":"version"' "$work/said/$number" >"$work/promised" || true
  promised=$(wc -l <"$work/promised")
  entries=$((entries + promised))
  grep -v '"type":"version"' "$work/read" | head -n "$promised" >"$work/first" || true
  if [ "$promised" = 0 ] || { [ "$code" = 0 ] && cmp -s "$work/promised" "$work/first"; }; then
    holds=$((holds + 1))
  else
    echo "copy $number: exit code $code, $promised entries promised, $(wc -l <"$work/read") lines"
    cat "$work/error"
  fi
  umount "$work/copy"
done

echo "$holds of $((rounds - unmounted)) copies hold all of $entries acknowledged entries;" \
  "$unmounted could not be mounted"
[ "$holds" = $((rounds - unmounted)) ]
