declare module '*.css'
declare module 'messages:*'
