declare module '*.css'
declare module '*.css?inline' {
  const text: string
  export default text
}
declare module 'messages:*'
declare module 'sound:chime' {
  const url: string
  export default url
}
