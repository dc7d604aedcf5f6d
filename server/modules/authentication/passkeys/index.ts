import type { Operation } from '../../../kernel/operation.ts'
import { list, register, registrationOptions, remove, rename } from './register.ts'
import { proofOptions, prove, signIn, signInOptions, token } from './sign-in.ts'

export const passkeyOperations: readonly Operation[] = [
  registrationOptions,
  register,
  list,
  rename,
  remove,
  signInOptions,
  signIn,
  token,
  proofOptions,
  prove,
]
