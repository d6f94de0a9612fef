import { dialAudio } from './support/dial-audio.ts';

dialAudio('taps');
