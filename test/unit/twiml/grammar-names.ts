/** An element of the grammar: what may stand in it, and its attributes with their words where these are listed. */
interface Named {
  readonly children: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const none = { children: '', attributes: {} } as const;

/**
 * Every element and attribute of Twilio's voice TwiML: those of its libraries' types, and those that only its pages
 * have (`callReason`, `clientNotificationUrl`, the name of a recording, three of `<Transcription>`, two of
 * `<ConversationRelay>` and the camel case of four more). Names and words only, separated by spaces; lists of voices and languages, which grow,
 * are left out.
 *
 * @see https://www.twilio.com/docs/voice/twiml
 */
export const names: Readonly<Record<string, Named>> = {
  AiSession: {
    children: '',
    attributes: {
      aiConnector: '',
      aiSessionConfiguration: '',
    },
  },
  Application: {
    children: 'ApplicationSid Parameter',
    attributes: {
      copyParentTo: '',
      customerId: '',
      method: '',
      statusCallback: '',
      statusCallbackEvent: 'initiated ringing answered completed',
      statusCallbackMethod: '',
      url: '',
    },
  },
  ApplicationSid: none,
  Assistant: {
    children: 'Language Parameter',
    attributes: {
      debug: '',
      dtmfDetection: '',
      elevenlabsTextNormalization: '',
      hints: '',
      id: '',
      intelligenceService: '',
      interruptSensitivity: '',
      interruptible: '',
      language: '',
      partialPrompts: '',
      preemptible: '',
      profanityFilter: '',
      reportInputDuringAgentSpeech: '',
      speechModel: '',
      transcriptionLanguage: '',
      transcriptionProvider: '',
      ttsLanguage: '',
      ttsProvider: '',
      voice: '',
      welcomeGreeting: '',
      welcomeGreetingInterruptible: '',
    },
  },
  Autopilot: none,
  Client: {
    children: 'Identity Parameter',
    attributes: {
      clientNotificationUrl: '',
      method: '',
      statusCallback: '',
      statusCallbackEvent: 'initiated ringing answered completed',
      statusCallbackMethod: '',
      url: '',
    },
  },
  Conference: {
    children: '',
    attributes: {
      beep: 'true false onEnter onExit',
      coach: '',
      endConferenceOnExit: '',
      eventCallbackUrl: '',
      jitterBufferSize: 'large medium small off',
      maxParticipants: '',
      muted: '',
      participantLabel: '',
      record: 'do-not-record record-from-start',
      recordingConfigurationId: '',
      recordingStatusCallback: '',
      recordingStatusCallbackEvent: 'in-progress completed absent',
      recordingStatusCallbackMethod: '',
      region: 'us1 us2 ie1 sg1 br1 au1 jp1 de1',
      startConferenceOnEnter: '',
      statusCallback: '',
      statusCallbackEvent: 'start end join leave mute hold modify speaker announcement',
      statusCallbackMethod: '',
      trim: 'trim-silence do-not-trim',
      waitMethod: '',
      waitUrl: '',
    },
  },
  Config: {
    children: '',
    attributes: {
      name: '',
      value: '',
    },
  },
  Connect: {
    children:
      'AiSession Assistant Autopilot Conversation ConversationRelay ConversationRelaySession Room Stream VirtualAgent',
    attributes: {
      action: '',
      method: '',
    },
  },
  Conversation: {
    children: '',
    attributes: {
      inboundAutocreation: '',
      inboundTimeout: '',
      method: '',
      record:
        'do-not-record record-from-answer record-from-ringing record-from-answer-dual record-from-ringing-dual true false',
      recordingStatusCallback: '',
      recordingStatusCallbackEvent: 'in-progress completed absent',
      recordingStatusCallbackMethod: '',
      routingAssignmentTimeout: '',
      serviceInstanceSid: '',
      statusCallback: '',
      statusCallbackEvent: 'call-initiated call-ringing call-answered call-completed',
      statusCallbackMethod: '',
      trim: 'trim-silence do-not-trim',
      url: '',
    },
  },
  ConversationRelay: {
    children: 'Language Parameter',
    attributes: {
      backgroundNoiseReduction: '',
      backgroundnoisereduction: '',
      conversationConfiguration: '',
      debug: '',
      deepgramSmartFormat: '',
      deepgramsmartformat: '',
      dtmfDetection: '',
      elevenlabsTextNormalization: '',
      eotThreshold: '',
      events: '',
      hints: '',
      ignoreBackchannel: '',
      ignorebackchannel: '',
      intelligenceService: '',
      interruptSensitivity: '',
      interruptible: '',
      language: '',
      partialPrompts: '',
      preemptible: '',
      profanityFilter: '',
      reportInputDuringAgentSpeech: '',
      speechModel: '',
      speechTimeout: '',
      speechtimeout: '',
      transcriptionLanguage: '',
      transcriptionProvider: '',
      ttsLanguage: '',
      ttsProvider: '',
      url: '',
      voice: '',
      welcomeGreeting: '',
      welcomeGreetingInterruptible: '',
    },
  },
  ConversationRelaySession: {
    children: '',
    attributes: {
      connector: '',
      sessionConfiguration: '',
    },
  },
  Dial: {
    children: 'Application Client Conference Number Queue Sim Sip WhatsApp',
    attributes: {
      action: '',
      answerOnBridge: '',
      callReason: '',
      callerId: '',
      events: 'call-progress-event',
      hangupOnStar: '',
      method: '',
      record:
        'do-not-record record-from-answer record-from-ringing record-from-answer-dual record-from-ringing-dual',
      recordingConfigurationId: '',
      recordingStatusCallback: '',
      recordingStatusCallbackEvent: 'in-progress completed absent',
      recordingStatusCallbackMethod: '',
      recordingTrack: 'both inbound outbound',
      referMethod: '',
      referUrl: '',
      ringTone:
        'at au bg br be ch cl cn cz de dk ee es fi fr gr hu il in it lt jp mx my nl no nz ph pl pt ru se sg th uk us us-old tw ve za',
      sequential: '',
      timeLimit: '',
      timeout: '',
      trim: 'trim-silence do-not-trim',
    },
  },
  Echo: none,
  Enqueue: {
    children: 'Task',
    attributes: {
      action: '',
      maxQueueSize: '',
      method: '',
      waitUrl: '',
      waitUrlMethod: '',
      workflowSid: '',
    },
  },
  Gather: {
    children: 'Pause Play Say',
    attributes: {
      action: '',
      actionOnEmptyResult: '',
      bargeIn: '',
      debug: '',
      enhanced: '',
      finishOnKey: '',
      hints: '',
      input: 'dtmf speech',
      language: '',
      maxSpeechTime: '',
      method: '',
      numDigits: '',
      partialResultCallback: '',
      partialResultCallbackMethod: '',
      profanityFilter: '',
      speechModel: '',
      speechTimeout: '',
      timeout: '',
    },
  },
  Hangup: {
    children: 'Parameter',
    attributes: {},
  },
  Header: {
    children: '',
    attributes: {
      name: '',
      value: '',
    },
  },
  Headers: {
    children: 'Header',
    attributes: {},
  },
  Identity: none,
  Language: {
    children: '',
    attributes: {
      code: '',
      speechModel: '',
      transcriptionProvider: '',
      ttsProvider: '',
      voice: '',
    },
  },
  Leave: none,
  Number: {
    children: '',
    attributes: {
      amdStatusCallback: '',
      amdStatusCallbackMethod: '',
      byoc: '',
      machineDetection: '',
      machineDetectionSilenceTimeout: '',
      machineDetectionSpeechEndThreshold: '',
      machineDetectionSpeechThreshold: '',
      machineDetectionTimeout: '',
      method: '',
      sendDigits: '',
      statusCallback: '',
      statusCallbackEvent: 'initiated ringing answered completed',
      statusCallbackMethod: '',
      url: '',
    },
  },
  Parameter: {
    children: '',
    attributes: {
      name: '',
      value: '',
    },
  },
  Pause: {
    children: '',
    attributes: {
      length: '',
    },
  },
  Pay: {
    children: 'Parameter Prompt',
    attributes: {
      action: '',
      bankAccountType: 'consumer-checking consumer-savings commercial-checking commercial-savings',
      chargeAmount: '',
      currency: '',
      description: '',
      input: 'dtmf',
      language: 'de-DE en-AU en-CA en-GB en-IN en-IE en-NZ en-PH en-ZA en-US es-ES es-US fr-CA fr-FR it-IT',
      maxAttempts: '',
      minPostalCodeLength: '',
      paymentConnector: '',
      paymentMethod: 'ach-debit credit-card',
      postalCode: '',
      securityCode: '',
      statusCallback: '',
      statusCallbackMethod: 'GET POST',
      timeout: '',
      tokenType: 'one-time reusable payment-method',
      validCardTypes: 'visa mastercard amex maestro discover optima jcb diners-club enroute',
    },
  },
  Play: {
    children: '',
    attributes: {
      digits: '',
      loop: '',
    },
  },
  Prompt: {
    children: 'Pause Play Say',
    attributes: {
      attempt: '',
      cardType: 'visa mastercard amex maestro discover optima jcb diners-club enroute',
      errorType:
        'timeout invalid-card-number invalid-card-type invalid-date invalid-security-code internal-error input-matching-failed',
      for: 'payment-card-number expiration-date security-code postal-code payment-processing bank-account-number bank-routing-number',
      requireMatchingInputs: '',
    },
  },
  Queue: {
    children: '',
    attributes: {
      method: '',
      postWorkActivitySid: '',
      reservationSid: '',
      url: '',
    },
  },
  Record: {
    children: '',
    attributes: {
      action: '',
      finishOnKey: '',
      maxLength: '',
      method: '',
      playBeep: '',
      recordingConfigurationId: '',
      recordingStatusCallback: '',
      recordingStatusCallbackEvent: 'in-progress completed absent',
      recordingStatusCallbackMethod: '',
      timeout: '',
      transcribe: '',
      transcribeCallback: '',
      trim: 'trim-silence do-not-trim',
    },
  },
  Recording: {
    children: '',
    attributes: {
      channels: 'mono dual',
      name: '',
      recordingConfigurationId: '',
      recordingStatusCallback: '',
      recordingStatusCallbackEvent: 'in-progress completed absent',
      recordingStatusCallbackMethod: 'GET POST',
      track: 'inbound outbound both',
      trim: 'trim-silence do-not-trim',
    },
  },
  Redirect: {
    children: '',
    attributes: {
      method: '',
    },
  },
  Refer: {
    children: 'Sip',
    attributes: {
      action: '',
      method: '',
    },
  },
  'Refer>Sip': none,
  Reject: {
    children: 'Parameter',
    attributes: {
      reason: 'rejected busy',
    },
  },
  Response: {
    children:
      'Connect Dial Echo Enqueue Gather Hangup Leave Pause Pay Play Prompt Queue Record Redirect Refer Reject Say Sms Start Stop',
    attributes: {},
  },
  Room: {
    children: '',
    attributes: {
      participantIdentity: '',
    },
  },
  Say: {
    children: 'break emphasis lang p phoneme prosody s say-as sub w',
    attributes: {
      language: '',
      loop: '',
      voice: '',
    },
  },
  Sim: none,
  Sip: {
    children: 'Headers Uri',
    attributes: {
      amdStatusCallback: '',
      amdStatusCallbackMethod: '',
      machineDetection: '',
      machineDetectionSilenceTimeout: '',
      machineDetectionSpeechEndThreshold: '',
      machineDetectionSpeechThreshold: '',
      machineDetectionTimeout: '',
      method: '',
      password: '',
      statusCallback: '',
      statusCallbackEvent: 'initiated ringing answered completed',
      statusCallbackMethod: '',
      url: '',
      username: '',
    },
  },
  Siprec: {
    children: 'Parameter',
    attributes: {
      connectorName: '',
      name: '',
      statusCallback: '',
      statusCallbackMethod: 'GET POST',
      track: 'inbound_track outbound_track both_tracks',
    },
  },
  Sms: {
    children: '',
    attributes: {
      action: '',
      from: '',
      method: '',
      statusCallback: '',
      to: '',
    },
  },
  Start: {
    children: 'Recording Siprec Stream Transcription',
    attributes: {
      action: '',
      method: '',
    },
  },
  Stop: {
    children: 'Recording Siprec Stream Transcription',
    attributes: {},
  },
  Stream: {
    children: 'Parameter',
    attributes: {
      connectorName: '',
      name: '',
      statusCallback: '',
      statusCallbackMethod: 'GET POST',
      track: 'inbound_track outbound_track both_tracks',
      url: '',
    },
  },
  Task: {
    children: '',
    attributes: {
      priority: '',
      timeout: '',
    },
  },
  Transcription: {
    children: 'Config Parameter',
    attributes: {
      conversationConfiguration: '',
      conversationId: '',
      enableAutomaticPunctuation: '',
      enableProviderData: '',
      hints: '',
      inboundTrackLabel: '',
      intelligenceService: '',
      languageCode: '',
      name: '',
      outboundTrackLabel: '',
      partialResults: '',
      profanityFilter: '',
      speechModel: '',
      statusCallbackMethod: 'GET POST',
      statusCallbackUrl: '',
      track: 'inbound_track outbound_track both_tracks',
      transcriptionEngine: '',
    },
  },
  Uri: {
    children: '',
    attributes: {
      password: '',
      priority: '',
      username: '',
      weight: '',
    },
  },
  VirtualAgent: {
    children: 'Config Parameter',
    attributes: {
      connectorName: '',
      language: '',
      sentimentAnalysis: '',
      statusCallback: '',
      statusCallbackMethod: '',
    },
  },
  WhatsApp: {
    children: '',
    attributes: {
      method: '',
      statusCallback: '',
      statusCallbackEvent: 'initiated ringing answered completed',
      statusCallbackMethod: '',
      url: '',
    },
  },
  break: {
    children: '',
    attributes: {
      strength: 'none x-weak weak medium strong x-strong',
      time: '',
    },
  },
  emphasis: {
    children: 'break emphasis lang phoneme prosody say-as sub w',
    attributes: {
      level: 'strong moderate reduced',
    },
  },
  lang: {
    children: 'break emphasis lang p phoneme prosody s say-as sub w',
    attributes: {
      'xml:lang': '',
    },
  },
  p: {
    children: 'break emphasis lang phoneme prosody s say-as sub w',
    attributes: {},
  },
  phoneme: {
    children: '',
    attributes: {
      alphabet: 'ipa x-sampa x-amazon-jyutping x-amazon-pinyin x-amazon-pron-kana x-amazon-yomigana',
      ph: '',
    },
  },
  prosody: {
    children: 'break emphasis lang p phoneme prosody s say-as sub w',
    attributes: {
      pitch: '',
      rate: '',
      volume: '',
    },
  },
  s: {
    children: 'break emphasis lang phoneme prosody say-as sub w',
    attributes: {},
  },
  'say-as': {
    children: '',
    attributes: {
      format: 'mdy dmy ymd md dm ym my d m y yyyymmdd',
      'interpret-as':
        'characters spell-out cardinal number ordinal digits fraction unit date time address expletive telephone',
    },
  },
  sub: {
    children: '',
    attributes: {
      alias: '',
    },
  },
  w: {
    children: 'break emphasis phoneme prosody say-as sub',
    attributes: {
      role: '',
    },
  },
};
