/* The smallest C program: start code, newlib's exit, nothing else. For the benchmark. */
int main(void) {
    return 0;
}
