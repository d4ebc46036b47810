/* newlib's <spawn.h>, with sessions and directories. */
#ifndef FORKLORE_SPAWN_H
#define FORKLORE_SPAWN_H

#include_next <spawn.h>

#define POSIX_SPAWN_SETSID 0x80

#ifdef __cplusplus
extern "C" {
#endif

int posix_spawn_file_actions_addchdir(posix_spawn_file_actions_t *__restrict, const char *__restrict);
int posix_spawn_file_actions_addfchdir(posix_spawn_file_actions_t *, int);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *__restrict, const char *__restrict);
int posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t *, int);

#ifdef __cplusplus
}
#endif
#endif
