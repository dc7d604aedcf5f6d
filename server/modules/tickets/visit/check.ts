/** 32 signs that nobody takes for another when they are read from paper. */
const SIGNS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ'

/**
 * Two letters that go with a ticket's number on paper: with both the page is found without the long address. They follow
 * from the hash of its secret, so nothing is stored for them and nobody can compute them from the number.
 */
export const checkLetters = (tokenHash: Uint8Array): string =>
  `${SIGNS[tokenHash[0]! & 31]}${SIGNS[tokenHash[1]! & 31]}`
