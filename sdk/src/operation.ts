/** An operation of the server: how it is asked and what goes in and out. */
export interface Operation<Input, Output> {
  method: string
  path: string
  /** Only in types. */
  readonly __types?: [Input, Output]
}
export const operation = <Input, Output>(method: string, path: string): Operation<Input, Output> => ({ method, path })
