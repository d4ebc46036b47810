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
    root='sudo'
fi
export DEBIAN_FRONTEND=noninteractive
log=${FORKLORE_BUILD:-build}/setup/apt.log
mkdir -p "$(dirname "$log")"

# Old or absent package lists are the usual reason for a failure, so they are fetched only then.
echo "Installing$missing (log: $log)"
install() {
    $root apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 $missing >>"$log" 2>&1 &
    job=$!
    seconds=0
    while kill -0 $job 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        [ $((seconds % 5)) = 0 ] && printf '  %3d s  %.90s\n' $seconds "$(tail -n 1 "$log" | tr -d '\r')"
    done
    wait $job
}
: >"$log"
if ! $root apt-get install -s --no-install-recommends $missing >>"$log" 2>&1 || ! install; then
    echo "  fetching the package lists"
    $root apt-get update >>"$log" 2>&1
    if ! install; then
        tail -n 12 "$log" >&2
        echo "apt-get could not install:$missing (whole log: $log)" >&2
        exit 1
    fi
fi
echo "Installed."
