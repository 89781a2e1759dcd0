// socketio.mjs: fan-out on Socket.IO: every message is emitted to a room, or echoed.
// Without compression, like the other servers here.
import { createServer } from 'node:http'
import { Server } from 'socket.io'

const [port, mode = 'fanout'] = process.argv.slice(2)
const http = createServer()
const io = new Server(http, { perMessageDeflate: false, httpCompression: false })

io.on('connection', (socket) => {
  socket.join('r')
  socket.on('m', (data) => (mode === 'echo' ? socket : io.to('r')).emit('m', data))
})
http.listen(Number(port), '127.0.0.1', 4096)
