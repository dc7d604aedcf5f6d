/** Places to point at, and what is near: lists, arrows, camera lenses, signs indoors. */
import type { Operation } from '../../kernel/operation.ts'
import { markerOperations } from './markers.ts'
import { publicOperations } from './public.ts'

export const operations: readonly Operation[] = [...markerOperations, ...publicOperations]
