/** The application's methods, which the server calls. */

export type Method = (data: unknown) => unknown;

export interface ServerRequest {
  ref: string | number;
  method: string;
  data: unknown;
}

export class Methods {
  readonly #methods = new Map<string, Method>();

  /** The newest method of a name is called. */
  add(name: string, method: Method): () => void {
    this.#methods.set(name, method);
    return () => {
      if (this.#methods.get(name) === method) {
        this.#methods.delete(name);
      }
    };
  }

  /** Calls the method, and resolves to the text that answers the request. */
  async answer({ ref, method: name, data }: ServerRequest): Promise<string> {
    const method = this.#methods.get(name);
    if (method === undefined) {
      const error = { code: "unknown_method", message: `there is no method "${name}"` };
      return JSON.stringify({ type: "response", ref, error });
    }
    try {
      return JSON.stringify({ type: "response", ref, data: (await method(data)) ?? null });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return JSON.stringify({ type: "response", ref, error: { code: "failed", message } });
    }
  }
}
