# A tour of the shell: sh /home/demo.sh
echo "This is $(uname -sr); the shell is process $$."
for name in fork exec wait; do
    echo "$name has ${#name} letters"
done
ls /bin | wc -l >/tmp/count
echo "there are $(cat /tmp/count) programs in /bin"
i=3
while test $i -gt 0; do
    echo "counting: $i"
    i=$((i - 1))
done
(exit 7) || echo "a subshell ended with $?"
sleep 0.1 & wait $! && echo "a job in the background ended"
rm /tmp/count
