// false: does nothing, unsuccessfully.
int false_main(int, char**) { return 1; }
