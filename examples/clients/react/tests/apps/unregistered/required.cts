/** The same package from a CommonJS module. */
import { useWebSocket } from "@ws-manager/react";

console.log(typeof useWebSocket);
