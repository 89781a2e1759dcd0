/* replay.c: runs a fuzz target on each file of the folders that are its arguments. For compilers
 * and machines without libFuzzer. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(1);
}

/* The input is a block of its own size, so that a tool for memory sees a read behind it. */
static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat state;
    uint8_t *data;
    size_t size;

    if (file == NULL || fstat(fileno(file), &state) != 0)
        fail(path);
    size = (size_t)state.st_size;
    data = malloc(size > 0 ? size : 1);
    if (data == NULL || fread(data, 1, size, file) != size)
        fail(path);
    fclose(file);
    printf("%s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static unsigned run_folder(const char *folder)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;
    unsigned count = 0;

    if (directory == NULL)
        fail(folder);
    while ((entry = readdir(directory)) != NULL) {
        char path[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        run_file(path);
        count++;
    }
    closedir(directory);
    return count;
}

int main(int argc, char **argv)
{
    unsigned count = 0;

    for (int i = 1; i < argc; i++)
        count += run_folder(argv[i]);
    if (count == 0)
        fprintf(stderr, "no inputs\n");
    return count > 0 ? 0 : 1;
}
