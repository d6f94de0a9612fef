import express from 'express';

/** A small switchboard: opening hours, a menu, a call to sales, a mailbox when nobody answers there. */
export const app = express();
app.use(express.urlencoded({ extended: false }));

const reply = (response, twiml) => response.type('text/xml').send(`<Response>${twiml}</Response>`);

app.post('/voice', (_request, response) => {
  reply(
    response,
    `<Gather numDigits="1" action="/menu" timeout="5">
       <Say>Welcome to Acme. For sales, press 1. For opening hours, press 2.</Say>
     </Gather>
     <Say>We did not get your choice. Goodbye.</Say>`,
  );
});

app.post('/menu', (request, response) => {
  if (request.body.Digits === '1') {
    return reply(
      response,
      '<Say>Connecting you to sales.</Say><Dial action="/after-sales" timeout="20"><Sip>sip:sales@acme.example</Sip></Dial>',
    );
  }
  if (request.body.Digits === '2') return reply(response, '<Say>We are here from nine to five.</Say>');
  return reply(response, '<Say>There is no such choice.</Say><Redirect>/voice</Redirect>');
});

app.post('/after-sales', (request, response) => {
  if (request.body.DialCallStatus === 'completed') return reply(response, '<Hangup/>');
  return reply(
    response,
    '<Say>Nobody is free. Leave a message after the tone.</Say><Record action="/thanks" maxLength="60"/>',
  );
});

app.post('/thanks', (_request, response) => reply(response, '<Say>Thank you. Goodbye.</Say>'));
