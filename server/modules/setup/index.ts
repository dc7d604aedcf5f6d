import type { Operation } from '../../kernel/operation.ts'
import { apply } from './apply.ts'
import { copySite } from './copy.ts'
import { languageOperations } from './languages.ts'
import { poster } from './poster.ts'

export const operations: readonly Operation[] = [apply, copySite, poster, ...languageOperations]
