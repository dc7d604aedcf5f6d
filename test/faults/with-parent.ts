/** Loaded before a server's own program: when the run that started it is gone, however it ended, the server ends too. */
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume()
