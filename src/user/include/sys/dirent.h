/* Directory streams: the part of <dirent.h> that newlib leaves to the system. */
#ifndef FORKLORE_SYS_DIRENT_H
#define FORKLORE_SYS_DIRENT_H

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MAXNAMLEN 255

struct dirent {
    unsigned long d_ino;
    unsigned char d_type; /* DT_* */
    char d_name[MAXNAMLEN + 1];
};

#define DT_UNKNOWN 0
#define DT_FIFO 1
#define DT_CHR 2
#define DT_DIR 4
#define DT_BLK 6
#define DT_REG 8
#define DT_LNK 10

typedef struct DirectoryStream DIR;

#ifdef __cplusplus
}
#endif
#endif
