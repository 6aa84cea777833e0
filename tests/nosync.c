/* Writing does not wait for the disk: no test outlives a power cut, and half of what Dagster does in
   SQLite is waiting. `make test` preloads this where there is a C compiler. */

int fsync(int descriptor) { return descriptor < 0 ? -1 : 0; }

int fdatasync(int descriptor) { return descriptor < 0 ? -1 : 0; }
