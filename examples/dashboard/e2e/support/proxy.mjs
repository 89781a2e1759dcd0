// A proxy between the page and the backend: passes HTTP on, and treats WebSockets as a test
// chooses.
import { once } from "node:events";
import http from "node:http";
import { WebSocketServer } from "ws";

/** `onSocket` is called with each WebSocket once it is open. */
export async function startProxy(backendUrl, onSocket) {
  const sockets = new WebSocketServer({ noServer: true });
  const server = http.createServer((request, response) => {
    const { method, headers, url } = request;
    const onward = http.request(backendUrl + url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.on("upgrade", (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, onSocket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: async () => {
      for (const socket of sockets.clients) {
        socket.terminate();
      }
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
