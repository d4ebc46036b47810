// true: does nothing, successfully.
int true_main(int, char**) { return 0; }
