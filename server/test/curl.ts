import { spawnSync } from 'node:child_process'

/** Lines of the documentation are typed as they stand where curl is; continuous integration installs it. */
export const hasCurl = spawnSync('curl', ['--version']).status === 0
