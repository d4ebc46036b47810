// Files and descriptors.
#include "user/support/support.h"

#include <sys/stat.h>
#include <sys/uio.h>

TEST_GROUP(Files) {};

TEST(Files, what_is_written_is_read) {
    const int fd = open("/tmp/f", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    LONGS_EQUAL(5, write(fd, "hello", 5));
    LONGS_EQUAL(0, lseek(fd, 0, SEEK_SET));
    char text[8] = "";
    LONGS_EQUAL(5, read(fd, text, sizeof text));
    LONGS_EQUAL(0, strcmp(text, "hello"));
    close(fd);
    LONGS_EQUAL(0, unlink("/tmp/f"));
}

TEST(Files, a_file_that_is_not_there_is_ENOENT) {
    FAILS_WITH(ENOENT, open("/tmp/none", O_RDONLY));
}

TEST(Files, O_EXCL_refuses_a_file_that_is_there) {
    close(open("/tmp/x", O_WRONLY | O_CREAT, 0644));
    FAILS_WITH(EEXIST, open("/tmp/x", O_WRONLY | O_CREAT | O_EXCL, 0644));
    LONGS_EQUAL(0, unlink("/tmp/x"));
}

TEST(Files, O_APPEND_writes_at_the_end) {
    int fd = open("/tmp/a", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write(fd, "one", 3);
    close(fd);
    fd = open("/tmp/a", O_WRONLY | O_APPEND);
    write(fd, "two", 3);
    struct stat info;
    LONGS_EQUAL(0, fstat(fd, &info));
    LONGS_EQUAL(6, info.st_size);
    close(fd);
    unlink("/tmp/a");
}

TEST(Files, a_hole_reads_as_zeros) {
    const int fd = open("/tmp/hole", O_RDWR | O_CREAT | O_TRUNC, 0644);
    lseek(fd, 10000, SEEK_SET);
    LONGS_EQUAL(1, write(fd, "x", 1));
    lseek(fd, 5000, SEEK_SET);
    char byte = 'q';
    LONGS_EQUAL(1, read(fd, &byte, 1));
    LONGS_EQUAL(0, byte);
    close(fd);
    unlink("/tmp/hole");
}

TEST(Files, ftruncate_shortens_and_lengthens) {
    const int fd = open("/tmp/t", O_RDWR | O_CREAT | O_TRUNC, 0644);
    write(fd, "abcdef", 6);
    LONGS_EQUAL(0, ftruncate(fd, 2));
    LONGS_EQUAL(0, ftruncate(fd, 4));
    char text[8];
    lseek(fd, 0, SEEK_SET);
    LONGS_EQUAL(4, read(fd, text, sizeof text));
    LONGS_EQUAL(0, memcmp(text, "ab\0\0", 4));
    close(fd);
    unlink("/tmp/t");
}

TEST(Files, an_unlinked_file_lives_while_it_is_open) {
    const int fd = open("/tmp/u", O_RDWR | O_CREAT | O_TRUNC, 0644);
    LONGS_EQUAL(0, unlink("/tmp/u"));
    LONGS_EQUAL(3, write(fd, "abc", 3));
    FAILS_WITH(ENOENT, access("/tmp/u", F_OK));
    close(fd);
}

TEST(Files, a_hard_link_is_the_same_file) {
    close(open("/tmp/l1", O_WRONLY | O_CREAT | O_TRUNC, 0644));
    LONGS_EQUAL(0, link("/tmp/l1", "/tmp/l2"));
    struct stat one, two;
    stat("/tmp/l1", &one);
    stat("/tmp/l2", &two);
    unlink("/tmp/l1");
    unlink("/tmp/l2");
    LONGS_EQUAL(one.st_ino, two.st_ino);
    LONGS_EQUAL(2, two.st_nlink);
}

TEST(Files, rename_moves_a_file_over_another) {
    int fd = open("/tmp/r1", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write(fd, "new", 3);
    close(fd);
    close(open("/tmp/r2", O_WRONLY | O_CREAT | O_TRUNC, 0644));
    LONGS_EQUAL(0, rename("/tmp/r1", "/tmp/r2"));
    FAILS_WITH(ENOENT, access("/tmp/r1", F_OK));
    struct stat info;
    stat("/tmp/r2", &info);
    unlink("/tmp/r2");
    LONGS_EQUAL(3, info.st_size);
}

TEST(Files, dup_shares_the_offset) {
    const int fd = open("/tmp/d", O_RDWR | O_CREAT | O_TRUNC, 0644);
    const int twin = dup(fd);
    write(fd, "1234", 4);
    const long offset = lseek(twin, 0, SEEK_CUR);
    close(fd);
    close(twin);
    unlink("/tmp/d");
    LONGS_EQUAL(4, offset);
}

TEST(Files, dup2_closes_its_target_first) {
    const int fd = open("/dev/null", O_RDWR);
    LONGS_EQUAL(50, dup2(fd, 50));
    LONGS_EQUAL(50, dup2(fd, 50));
    LONGS_EQUAL(0, close(50));
    LONGS_EQUAL(0, close(fd));
    FAILS_WITH(EBADF, close(50));
}

TEST(Files, a_closed_descriptor_is_EBADF_everywhere) {
    char byte;
    FAILS_WITH(EBADF, read(200, &byte, 1));
    FAILS_WITH(EBADF, write(200, &byte, 1));
    FAILS_WITH(EBADF, lseek(200, 0, SEEK_SET));
    FAILS_WITH(EBADF, dup(200));
    FAILS_WITH(EBADF, fcntl(-1, F_GETFD));
}

TEST(Files, dev_null_takes_everything_and_gives_nothing) {
    const int fd = open("/dev/null", O_RDWR);
    char byte;
    LONGS_EQUAL(100, write(fd, "", 100 * (fd >= 0)));
    LONGS_EQUAL(0, read(fd, &byte, 1));
    close(fd);
}

TEST(Files, dev_zero_gives_zeros) {
    const int fd = open("/dev/zero", O_RDONLY);
    char text[16] = "xxxxxxxxxxxxxxx";
    LONGS_EQUAL(16, read(fd, text, 16));
    close(fd);
    LONGS_EQUAL(0, text[0] | text[15]);
}

TEST(Files, a_write_from_nowhere_is_EFAULT_and_writes_nothing) {
    const int fd = open("/tmp/e", O_RDWR | O_CREAT | O_TRUNC, 0644);
    errno = 0;
    const int result = write(fd, reinterpret_cast<const void*>(64), 10);
    const int error = errno;
    struct stat info;
    fstat(fd, &info);
    close(fd);
    unlink("/tmp/e");
    LONGS_EQUAL(-1, result);
    LONGS_EQUAL(EFAULT, error);
    LONGS_EQUAL(0, info.st_size);
}

TEST(Files, a_read_into_the_kernel_is_EFAULT) {
    const int fd = open("/dev/zero", O_RDONLY);
    errno = 0;
    const int result = read(fd, reinterpret_cast<void*>(0xffffff8000000000), 8);
    const int error = errno;
    close(fd);
    LONGS_EQUAL(-1, result);
    LONGS_EQUAL(EFAULT, error);
}

TEST(Files, writev_gathers_and_readv_scatters) {
    const int fd = open("/tmp/v", O_RDWR | O_CREAT | O_TRUNC, 0644);
    char one[3] = {'a', 'b', 'c'}, two[2] = {'d', 'e'};
    struct iovec pieces[2] = {{one, 3}, {two, 2}};
    LONGS_EQUAL(5, writev(fd, pieces, 2));
    lseek(fd, 0, SEEK_SET);
    struct iovec back[2] = {{two, 2}, {one, 3}};
    LONGS_EQUAL(5, readv(fd, back, 2));
    close(fd);
    unlink("/tmp/v");
    LONGS_EQUAL('a', two[0]);
    LONGS_EQUAL('e', one[2]);
}

TEST(Files, too_many_descriptors_are_EMFILE) {
    int fds[FORKLORE_OPEN_MAX + 1], count = 0;
    while (count <= FORKLORE_OPEN_MAX && (fds[count] = open("/dev/null", O_RDONLY)) >= 0) {
        ++count;
    }
    const int error = errno;
    for (int i = 0; i < count; ++i) {
        close(fds[i]);
    }
    LONGS_EQUAL(EMFILE, error);
}
