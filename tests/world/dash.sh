# What a POSIX shell asks of a kernel: pipes, subshells, signals and traps, files, jobs, limits, scripts.
echo one two three | { read first rest; echo "$first, then $rest"; }
square() { local n=$1; echo $((n * n)); }
square 7
for status in 0 1 42; do (exit $status) || echo "subshell: $?"; done
trap 'echo trapped' USR1
kill -USR1 $$
echo "here: $(cat <<END
  $((6 * 7))
END
)"
cd /tmp
echo a > world-a; echo b > world-b; cat world-a world-b >> world-ab; wc -l < world-ab
echo world-*
rm world-a world-b world-ab
sleep 0.1 & wait $!
echo "waited: $?"
sleep 100 & kill -9 $!; wait $!
echo "killed: $?"
(ulimit -n 8; exec 9>/dev/null) 2>/dev/null || echo "no ninth descriptor"
umask 077; : > world-mode; umask 022; ls -l world-mode | { read mode rest; echo $mode; }; rm world-mode
printf '#!/add/dash\necho script $1\n' > world-script; chmod 755 world-script; ./world-script argument; rm world-script
set -- x y z; shift; echo $# $*
case $(pwd) in /t*) echo in /tmp ;; esac
yes | head -n 2
(sleep 0.05; echo from the background) & wait
exec echo the end
