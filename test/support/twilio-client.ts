import twilio from 'twilio';

/**
 * The official client's HTTP side, connecting to one address whatever the host name, which it still sends as
 * `Host`: how an application reaches a platform whose names do not resolve.
 */
class ConnectingClient extends twilio.RequestClient {
  readonly #port: number;

  constructor(port: number) {
    // A test that computes for seconds finds its idle connections closed only when it has used them again.
    super({ keepAlive: false });
    this.#port = port;
  }

  override request<T>(options: Parameters<twilio.RequestClient['request']>[0]) {
    const { host, pathname, search } = new URL(options.uri);
    return super.request<T>({
      ...options,
      data: options.data as T,
      uri: `http://127.0.0.1:${this.#port}${pathname}${search}`,
      headers: { ...options.headers, Host: host },
    });
  }
}

/**
 * The official client for the credentials of an account, or of an API key of the account in the options, talking to
 * 127.0.0.1:`port`.
 */
export function twilioClient(
  port: number,
  user: string,
  password: string,
  place: { readonly edge?: string; readonly region?: string; readonly accountSid?: string } = {},
): twilio.Twilio {
  return twilio(user, password, { httpClient: new ConnectingClient(port), ...place });
}
