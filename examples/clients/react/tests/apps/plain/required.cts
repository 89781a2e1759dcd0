/** The same package from a CommonJS module. */
import { WebSocketRequestError } from "@ws-manager/client";

console.log(new WebSocketRequestError("timeout", "too late").code);
