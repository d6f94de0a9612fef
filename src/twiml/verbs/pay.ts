import { payFamily, pay as spec } from '../grammar/pay.ts';
import { contentBody } from '../grammar/read-element.ts';
import { transfer } from './call-scope.ts';
import { defineVerb } from './define-verb.ts';
import { unavailable } from './unavailable.ts';

/**
 * `<Pay>` takes payments through a connector, of which there are none here: 64004, as on Twilio for one that is not
 * configured, and the caller is asked for nothing. `action` is told Result=payment-connector-error; without one the
 * document is asked for again. A `chargeAmount` that is none is 64003 and Result=validation-error. Our choice: no
 * `statusCallback`, whose requests tell of steps that are not taken.
 *
 * @see https://www.twilio.com/docs/voice/twiml/pay
 */
export const pay = defineVerb({
  ...spec,
  body: contentBody(spec, payFamily),
  async run({ attributes: { action, paymentMethod, ...values }, element }, call) {
    await call.answer();
    const charge = element.attributes.get('chargeAmount');
    const isWrong = charge !== undefined && values.chargeAmount === undefined; // 64003 has been reported
    const connector = values.paymentConnector.slice(0, 100);
    const what = isWrong
      ? `chargeAmount="${charge.value.slice(0, 40)}" is no amount from 0.00 to 1000000.00; nothing is charged.`
      : `there is no payment connector "${connector}" here; nothing is asked for and nothing is paid.`;
    if (!isWrong) call.world.report(unavailable(64004, element, call, what));
    // https://www.twilio.com/docs/voice/twiml/pay#twilios-post-request-to-your-action-url
    return transfer(call, action, element.position, 'POST', {
      Result: isWrong ? 'validation-error' : 'payment-connector-error',
      PaymentMethod: paymentMethod,
      PaymentError: what,
      PayErrorCode: isWrong ? '64003' : '64004',
    });
  },
});
