/** The typed client that programs get too: a build keeps what is used. */
export * from '../../sdk/src/operations.ts'
