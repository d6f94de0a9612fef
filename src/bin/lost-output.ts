/** 128 and SIGPIPE (13): how a shell sees a program whose reader went away. */
const READER_GONE = 141;
/** EX_IOERR of sysexits(3). */
const NOT_WRITTEN = 74;

/**
 * Ends this process when nobody reads what it prints any more (`| head`), silently, as other programs of a pipeline do;
 * and with a line on stderr when that cannot be written, as on a full disk.
 */
export function endWithOutput({ stdout, stderr } = process): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(READER_GONE);
    stderr.write(`error: the output cannot be written: ${error.message}\n`);
    process.exit(NOT_WRITTEN);
  });
  stderr.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? READER_GONE : NOT_WRITTEN),
  );
}
