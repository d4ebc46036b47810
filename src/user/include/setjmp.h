/* newlib has the forms that mind the signal mask for two systems only. */
#ifndef FORKLORE_SETJMP_H
#define FORKLORE_SETJMP_H

#include_next <setjmp.h>
#include <sys/_sigset.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    jmp_buf registers;
    int has_mask;
    __sigset_t mask;
} sigjmp_buf[1];

void __sigjmp_keep_mask(sigjmp_buf, int);
void siglongjmp(sigjmp_buf, int) __attribute__((__noreturn__));

/* A function that calls setjmp can't return before the jump: so this is a macro, as newlib's is. */
#define sigsetjmp(environment, savemask) \
    (__sigjmp_keep_mask((environment), (savemask)), setjmp((environment)->registers))

/* newlib's own two leave the mask alone. */
#define _setjmp(environment) setjmp(environment)
#define _longjmp(environment, value) longjmp((environment), (value))

#ifdef __cplusplus
}
#endif
#endif
