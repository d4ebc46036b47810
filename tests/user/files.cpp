// Files and descriptors.
#include "support.h"

#include <sys/stat.h>
#include <sys/uio.h>

TEST("what is written is read") {
    const int fd = open("/tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    EQUAL(5, write(fd, "hello", 5));
    EQUAL(0, lseek(fd, 0, SEEK_SET));
    char text[8] = "";
    EQUAL(5, read(fd, text, sizeof text));
    EQUAL(0, strcmp(text, "hello"));
    close(fd);
    EQUAL(0, unlink("/tmp/f"));
}

TEST("a file that is not there is ENOENT") {
    FAILS_WITH(ENOENT, open("/tmp/none", O_RDONLY));
}

TEST("O_EXCL refuses a file that is there") {
    close(open("/tmp/x", O_WRONLY | O_CREAT, 0644));
    FAILS_WITH(EEXIST, open("/tmp/x", O_WRONLY | O_CREAT | O_EXCL, 0644));
    EQUAL(0, unlink("/tmp/x"));
}

TEST("O_APPEND writes at the end") {
    int fd = open("/tmp/a", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write(fd, "one", 3);
    close(fd);
    fd = open("/tmp/a", O_WRONLY | O_APPEND);
    write(fd, "two", 3);
    struct stat info;
    EQUAL(0, fstat(fd, &info));
    EQUAL(6, info.st_size);
    close(fd);
    unlink("/tmp/a");
}

TEST("a hole reads as zeros") {
    const int fd = open("/tmp/hole", O_RDWR | O_CREAT | O_TRUNC, 0644);
    lseek(fd, 10000, SEEK_SET);
    EQUAL(1, write(fd, "x", 1));
    lseek(fd, 5000, SEEK_SET);
    char byte = 'q';
    EQUAL(1, read(fd, &byte, 1));
    EQUAL(0, byte);
    close(fd);
    unlink("/tmp/hole");
}

TEST("ftruncate shortens and lengthens") {
    const int fd = open("/tmp/t", O_RDWR | O_CREAT | O_TRUNC, 0644);
    write(fd, "abcdef", 6);
    EQUAL(0, ftruncate(fd, 2));
    EQUAL(0, ftruncate(fd, 4));
    char text[8];
    lseek(fd, 0, SEEK_SET);
    EQUAL(4, read(fd, text, sizeof text));
    EQUAL(0, memcmp(text, "ab\0\0", 4));
    close(fd);
    unlink("/tmp/t");
}

TEST("an unlinked file lives while it is open") {
    const int fd = open("/tmp/u", O_RDWR | O_CREAT | O_TRUNC, 0644);
    EQUAL(0, unlink("/tmp/u"));
    EQUAL(3, write(fd, "abc", 3));
    FAILS_WITH(ENOENT, access("/tmp/u", F_OK));
    close(fd);
}

TEST("a hard link is the same file") {
    close(open("/tmp/l1", O_WRONLY | O_CREAT | O_TRUNC, 0644));
    EQUAL(0, link("/tmp/l1", "/tmp/l2"));
    struct stat one, two;
    stat("/tmp/l1", &one);
    stat("/tmp/l2", &two);
    unlink("/tmp/l1");
    unlink("/tmp/l2");
    EQUAL(one.st_ino, two.st_ino);
    EQUAL(2, two.st_nlink);
}

TEST("rename moves a file over another") {
    int fd = open("/tmp/r1", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write(fd, "new", 3);
    close(fd);
    close(open("/tmp/r2", O_WRONLY | O_CREAT | O_TRUNC, 0644));
    EQUAL(0, rename("/tmp/r1", "/tmp/r2"));
    FAILS_WITH(ENOENT, access("/tmp/r1", F_OK));
    struct stat info;
    stat("/tmp/r2", &info);
    unlink("/tmp/r2");
    EQUAL(3, info.st_size);
}

TEST("dup shares the offset") {
    const int fd = open("/tmp/d", O_RDWR | O_CREAT | O_TRUNC, 0644);
    const int twin = dup(fd);
    write(fd, "1234", 4);
    const long offset = lseek(twin, 0, SEEK_CUR);
    close(fd);
    close(twin);
    unlink("/tmp/d");
    EQUAL(4, offset);
}

TEST("dup2 closes its target first") {
    const int fd = open("/dev/null", O_RDWR);
    EQUAL(50, dup2(fd, 50));
    EQUAL(50, dup2(fd, 50));
    EQUAL(0, close(50));
    EQUAL(0, close(fd));
    FAILS_WITH(EBADF, close(50));
}

TEST("a closed descriptor is EBADF everywhere") {
    char byte;
    FAILS_WITH(EBADF, read(200, &byte, 1));
    FAILS_WITH(EBADF, write(200, &byte, 1));
    FAILS_WITH(EBADF, lseek(200, 0, SEEK_SET));
    FAILS_WITH(EBADF, dup(200));
    FAILS_WITH(EBADF, fcntl(-1, F_GETFD));
}

TEST("/dev/null takes everything and gives nothing") {
    const int fd = open("/dev/null", O_RDWR);
    char byte;
    EQUAL(100, write(fd, "", 100 * (fd >= 0)));
    EQUAL(0, read(fd, &byte, 1));
    close(fd);
}

TEST("/dev/zero gives zeros") {
    const int fd = open("/dev/zero", O_RDONLY);
    char text[16] = "xxxxxxxxxxxxxxx";
    EQUAL(16, read(fd, text, 16));
    close(fd);
    EQUAL(0, text[0] | text[15]);
}

TEST("a write from nowhere is EFAULT and writes nothing") {
    const int fd = open("/tmp/e", O_RDWR | O_CREAT | O_TRUNC, 0644);
    errno = 0;
    const int result = write(fd, reinterpret_cast<const void*>(64), 10);
    const int error = errno;
    struct stat info;
    fstat(fd, &info);
    close(fd);
    unlink("/tmp/e");
    EQUAL(-1, result);
    EQUAL(EFAULT, error);
    EQUAL(0, info.st_size);
}

TEST("a read into the kernel is EFAULT") {
    const int fd = open("/dev/zero", O_RDONLY);
    errno = 0;
    const int result = read(fd, reinterpret_cast<void*>(0xffffff8000000000), 8);
    const int error = errno;
    close(fd);
    EQUAL(-1, result);
    EQUAL(EFAULT, error);
}

TEST("writev gathers and readv scatters") {
    const int fd = open("/tmp/v", O_RDWR | O_CREAT | O_TRUNC, 0644);
    char one[3] = {'a', 'b', 'c'}, two[2] = {'d', 'e'};
    struct iovec pieces[2] = {{one, 3}, {two, 2}};
    EQUAL(5, writev(fd, pieces, 2));
    lseek(fd, 0, SEEK_SET);
    struct iovec back[2] = {{two, 2}, {one, 3}};
    EQUAL(5, readv(fd, back, 2));
    close(fd);
    unlink("/tmp/v");
    EQUAL('a', two[0]);
    EQUAL('e', one[2]);
}

TEST("too many descriptors are EMFILE") {
    int fds[FORKLORE_OPEN_MAX + 1], count = 0;
    while (count <= FORKLORE_OPEN_MAX && (fds[count] = open("/dev/null", O_RDONLY)) >= 0) {
        ++count;
    }
    const int error = errno;
    for (int i = 0; i < count; ++i) {
        close(fds[i]);
    }
    EQUAL(EMFILE, error);
}
