/* newlib's <spawn.h>, with sessions, directories, coalitions and personas. */
#ifndef FORKLORE_SPAWN_H
#define FORKLORE_SPAWN_H

#include_next <spawn.h>

#define POSIX_SPAWN_SETSID 0x80
#define POSIX_SPAWN_NEWCOALITION_NP 0x100
#define POSIX_SPAWN_SETPERSONA_NP 0x200

#ifdef __cplusplus
extern "C" {
#endif

int posix_spawn_file_actions_addchdir(posix_spawn_file_actions_t *__restrict, const char *__restrict);
int posix_spawn_file_actions_addfchdir(posix_spawn_file_actions_t *, int);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *__restrict, const char *__restrict);
int posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t *, int);

/* For SETPERSONA: a persona that some process carries (0: none), or a new one, whose name must live until the spawn. */
int posix_spawnattr_setpersona_np(posix_spawnattr_t *, int);
int posix_spawnattr_setnewpersona_np(posix_spawnattr_t *, const char *);

#ifdef __cplusplus
}
#endif
#endif
