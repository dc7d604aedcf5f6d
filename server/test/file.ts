/** Files of tests follow one another in a process: what is remembered of one file's sessions must not be the next one's. */
export const file = { mark: '' }
