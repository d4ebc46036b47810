#!/bin/sh
# Installs the Debian packages that a verb needs and that are missing: says which and why, then does it.
#
#   tools/setup.sh run|test|bench|uboot
#
# It is a shell script because on a fresh system there is no Python yet. Packages come from the sources
# that the system already has; it never changes them. It is quiet when there is nothing to do.
set -u
verb=${1:-run}
here=$(dirname "$0")

present() {
    case $1 in
        python3:*) /usr/bin/python3 -c "import ${1#python3:}" 2>/dev/null ;;
        /*) [ -e "$1" ] ;;
        *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# A tool given by variable replaces the package: `make NEWLIB_SRC=/path run`.
given() {
    [ -n "$1" ] || return 1
    eval "value=\${FORKLORE_$1:-}"
    [ -n "$value" ]
}

missing=''
while IFS='|' read -r package proof verbs version variable why; do
    case $package in '#'*|'') continue ;; esac
    case " $verbs " in *" $verb "*) ;; *) continue ;; esac
    present "$proof" && continue
    given "$variable" && continue
    [ -n "$missing" ] || echo "Forklore needs packages that are not installed:"
    printf '  %-24s %s\n' "$package" "$why"
    missing="$missing $package"
done < "$here/packages.txt"
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "There is no apt-get here. Install the tools above in your system's way and see 'make doctor':" >&2
    echo "it names the variable that points to each tool." >&2
    exit 1
fi
root=''
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "Installing needs root, and there is no sudo. As root, type: apt-get install$missing" >&2
        exit 1
    fi
    # Asked for here, and not in the middle of the progress below.
    if ! sudo -n true 2>/dev/null && ! sudo -v; then
        echo "Installing needs root, and sudo refuses. As root, type: apt-get install$missing" >&2
        exit 1
    fi
    root='sudo'
fi
log=${FORKLORE_BUILD:-build}/setup/apt.log
mkdir -p "$(dirname "$log")"
: >"$log"
patience=${FORKLORE_LOCK_SECONDS:-900}

# apt-get with its output in the log; its newest line is shown every five seconds.
watched() {
    # shellcheck disable=SC2086  # $root is nothing or one word
    $root env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 "$@" >"$log.now" 2>&1 &
    job=$!
    seconds=0
    while kill -0 $job 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        [ $((seconds % 5)) = 0 ] && printf '  %3d s  %.90s\n' $seconds "$(tail -n 1 "$log.now" | tr '\r' '\n' | tail -n 1)"
    done
    wait $job
    status=$?
    cat "$log.now" >>"$log"
    return $status
}

# The same, but another package manager may hold one of apt's three locks: a fresh system upgrades itself in the
# background. apt's own DPkg::Lock::Timeout waits for one of the three only.
patient() {
    waited=0
    until watched "$@"; do
        holder=$(grep -m 1 -E 'Could not get lock|Unable to (lock|acquire)' "$log.now")
        if [ -z "$holder" ] || [ $waited -ge "$patience" ]; then
            return 1
        fi
        [ $((waited % 10)) = 0 ] && echo "  waiting for another package manager: ${holder#E: }"
        sleep 2
        waited=$((waited + 2))
    done
}

echo "Installing$missing (log: $log)"
# Old or absent package lists are the usual reason for a failure, so they are fetched only then.
# shellcheck disable=SC2086  # one word a package
if ! patient install -y --no-install-recommends $missing; then
    if [ -z "$holder" ]; then
        echo "  fetching the package lists"
        patient update
    fi
    if ! patient install -y --no-install-recommends $missing; then
        tail -n 12 "$log" >&2
        if [ -n "$holder" ]; then
            echo "Another package manager has held apt's lock for $patience s. Wait for it and type the command again." >&2
        elif grep -qE 'Temporary failure resolving|Could not (resolve|connect)|unreachable|timed out' "$log"; then
            echo "Debian's archive cannot be reached: is there a network? Then type the command again." >&2
        fi
        echo "apt-get could not install:$missing (whole log: $log)" >&2
        exit 1
    fi
fi
echo "Installed."
