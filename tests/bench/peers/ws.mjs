// ws.mjs: fan-out on Node's ws: its documented broadcast loop, or an echo.
// With "deflate" it compresses as ws does: again for each client.
import { WebSocketServer } from 'ws'

const [port, mode = 'fanout'] = process.argv.slice(2)
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(port),
  backlog: 4096,
  perMessageDeflate: mode === 'deflate' && { threshold: 0 },
})

server.on('connection', (socket) => {
  socket.on('error', () => {}) // without a handler, a reset by a client would end the process
  socket.on('message', (data, isBinary) => {
    for (const client of mode === 'echo' ? [socket] : server.clients) {
      client.send(data, { binary: isBinary })
    }
  })
})
