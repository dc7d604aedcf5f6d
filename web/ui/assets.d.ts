declare module '*.css'
declare module 'messages:*'
declare module 'sound:chime' {
  const url: string
  export default url
}
