// Descriptors: their numbers, their flags, and what they share.
#include "user/support/support.h"

TEST_GROUP(Descriptors) {
    int fd = -1;
    void setup() override { fd = open("/tmp/descriptors", O_RDWR | O_CREAT | O_TRUNC, 0600); }
    void teardown() override {
        close(fd);
        unlink("/tmp/descriptors");
    }
};

TEST(Descriptors, the_lowest_free_number_is_taken) {
    LONGS_EQUAL(3, fd);
    const int four = dup(fd), five = dup(fd);
    close(four);
    const int again = open("/dev/null", O_RDONLY);
    close(again);
    close(five);
    LONGS_EQUAL(4, four);
    LONGS_EQUAL(5, five);
    LONGS_EQUAL(4, again);
}

TEST(Descriptors, F_DUPFD_takes_the_lowest_from_a_number_on) {
    const int high = fcntl(fd, F_DUPFD, 100), higher = fcntl(fd, F_DUPFD, 100);
    close(high);
    close(higher);
    LONGS_EQUAL(100, high);
    LONGS_EQUAL(101, higher);
    FAILS_WITH(EINVAL, fcntl(fd, F_DUPFD, -1));
    FAILS_WITH(EINVAL, fcntl(fd, F_DUPFD, FORKLORE_OPEN_MAX));
}

TEST(Descriptors, close_on_exec_belongs_to_the_descriptor_and_not_to_the_file) {
    LONGS_EQUAL(0, fcntl(fd, F_SETFD, FD_CLOEXEC));
    const int twin = dup(fd), marked = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    const int flags = fcntl(fd, F_GETFD), twins = fcntl(twin, F_GETFD), markeds = fcntl(marked, F_GETFD);
    close(twin);
    close(marked);
    LONGS_EQUAL(FD_CLOEXEC, flags);
    LONGS_EQUAL(0, twins);
    LONGS_EQUAL(FD_CLOEXEC, markeds);
}

TEST(Descriptors, a_childs_close_on_exec_flag_is_its_own) {
    in_child([&] { return fcntl(fd, F_SETFD, FD_CLOEXEC); });
    LONGS_EQUAL(0, fcntl(fd, F_GETFD));
}

TEST(Descriptors, the_flags_of_the_file_are_shared_with_duplicates_and_children) {
    const int twin = dup(fd);
    in_child([&] { return fcntl(fd, F_SETFL, O_APPEND); });
    const int flags = fcntl(twin, F_GETFL);
    close(twin);
    LONGS_EQUAL(O_RDWR | O_APPEND, flags & (O_ACCMODE | O_APPEND));
}

TEST(Descriptors, two_opens_of_a_file_have_an_offset_each) {
    const int other = open("/tmp/descriptors", O_RDONLY);
    write(fd, "abc", 3);
    char byte = 0;
    read(other, &byte, 1);
    const long own = lseek(fd, 0, SEEK_CUR), others = lseek(other, 0, SEEK_CUR);
    close(other);
    LONGS_EQUAL('a', byte);
    LONGS_EQUAL(3, own);
    LONGS_EQUAL(1, others);
}

TEST(Descriptors, a_childs_writes_move_the_parents_offset_and_follow_its_writes) {
    write(fd, "one ", 4);
    in_child([&] { return write(fd, "two ", 4); });
    write(fd, "three", 5);
    char text[16] = "";
    lseek(fd, 0, SEEK_SET);
    read(fd, text, sizeof text - 1);
    STRCMP_EQUAL("one two three", text);
}

TEST(Descriptors, dup2_onto_itself_changes_nothing) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    LONGS_EQUAL(fd, dup2(fd, fd));
    LONGS_EQUAL(FD_CLOEXEC, fcntl(fd, F_GETFD));
}

TEST(Descriptors, dup2_of_a_closed_one_leaves_the_target_open) {
    FAILS_WITH(EBADF, dup2(200, fd));
    LONGS_EQUAL(0, fcntl(fd, F_GETFD));
    FAILS_WITH(EBADF, dup2(200, 200));
    FAILS_WITH(EBADF, dup2(fd, -1));
    FAILS_WITH(EBADF, dup2(fd, FORKLORE_OPEN_MAX));
}

TEST(Descriptors, reading_what_is_open_for_writing_is_EBADF_and_the_reverse) {
    const int writer = open("/tmp/descriptors", O_WRONLY), reader = open("/tmp/descriptors", O_RDONLY);
    char byte = 0;
    errno = 0;
    const int got = read(writer, &byte, 1), read_error = errno;
    errno = 0;
    const int written = write(reader, &byte, 1), write_error = errno;
    close(writer);
    close(reader);
    LONGS_EQUAL(-1, got);
    LONGS_EQUAL(EBADF, read_error);
    LONGS_EQUAL(-1, written);
    LONGS_EQUAL(EBADF, write_error);
}

TEST(Descriptors, a_seek_before_the_beginning_is_EINVAL_and_moves_nothing) {
    write(fd, "abc", 3);
    FAILS_WITH(EINVAL, lseek(fd, -4, SEEK_CUR));
    FAILS_WITH(EINVAL, lseek(fd, -1, SEEK_SET));
    FAILS_WITH(EINVAL, lseek(fd, 0, 9));
    LONGS_EQUAL(3, lseek(fd, 0, SEEK_CUR));
}

TEST(Descriptors, pipe2_can_mark_both_ends_close_on_exec) {
    int ends[2];
    LONGS_EQUAL(0, pipe2(ends, O_CLOEXEC));
    const int flags = fcntl(ends[0], F_GETFD) & fcntl(ends[1], F_GETFD);
    close(ends[0]);
    close(ends[1]);
    LONGS_EQUAL(FD_CLOEXEC, flags);
    FAILS_WITH(EINVAL, pipe2(ends, 1 << 30));
}

TEST(Descriptors, those_of_a_process_that_ends_are_closed) {
    int ends[2];
    LONGS_EQUAL(0, pipe(ends));
    LONGS_EQUAL(SIGKILL, killed_by(in_child([] { return kill(getpid(), SIGKILL); })));
    close(ends[1]);
    char byte;
    const int end = read(ends[0], &byte, 1);
    close(ends[0]);
    LONGS_EQUAL(0, end);
}
