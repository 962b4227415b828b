// The camera, which is asked for only when somebody wants it.

import {Trouble} from "./networks.js";

const REFUSED = {
  NotAllowedError: "The camera was not allowed. Allow it in the address bar, or take a photo or the film.",
  NotFoundError: "There is no camera here. Take a photo or the film.",
  NotReadableError: "The camera is used by another program. Close it and try again.",
};

export class Camera {
  // `wanted` says, once the browser has answered, whether the camera is still asked for; if not, it
  // is let go of and null comes back.
  static async open(wanted) {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Trouble("A browser gives the camera only to pages from https:// or this machine itself.");
    }
    const video = {width: {ideal: 640}, height: {ideal: 480}, facingMode: "user"};
    const stream = await navigator.mediaDevices.getUserMedia({video}).catch(error => {
      throw new Trouble(REFUSED[error.name] ?? `The camera did not start: ${error.message}`);
    });
    const camera = Object.assign(new Camera(), {stream, video: document.createElement("video")});
    if (wanted()) {
      Object.assign(camera.video, {srcObject: stream, muted: true, playsInline: true});
      await camera.video.play().catch(error => {
        camera.close();
        throw error;
      });
    }
    if (wanted()) return camera;
    camera.close();
    return null;
  }

  next() {
    const {video} = this;
    return new Promise(resolve => {
      const give = () => resolve({image: video, width: video.videoWidth, height: video.videoHeight});
      if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(give);
      else requestAnimationFrame(give);
    });
  }

  whenTakenAway(act) {
    this.stream.getTracks()[0].addEventListener("ended", act);
  }

  close() {
    this.stream.getTracks().forEach(track => track.stop());
  }
}
