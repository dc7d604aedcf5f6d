/** Organisations to try things in: how one is made, how its time passes, and how it begins anew. */
import type { Operation } from '../../kernel/operation.ts'
import { advance } from './advance.ts'
import { create } from './create.ts'
import { reset } from './reset.ts'
import { get } from './state.ts'

export const operations: readonly Operation[] = [get, create, advance, reset]
