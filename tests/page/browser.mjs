// A browser whose camera shows a film, and what a person does on the page.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Builder, By, Key, logging } from 'selenium-webdriver';
import chrome from 'selenium-webdriver/chrome.js';
import { until } from './device.mjs';

export const PHONE = { width: 390, height: 844 };
export const DESK = { width: 1280, height: 900 };
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A window of the page, with what a person can see and do there. */
export class Page {
  /** `film` is null for a browser without a camera. */
  static async open(url, { film, size = DESK, dark = false, insecure = false }) {
    const options = new chrome.Options();
    options.setChromeBinaryPath(process.env.CHROMIUM ?? '/usr/bin/chromium');
    options.addArguments('--headless=new', '--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', `--window-size=${size.width},${size.height}`);
    if (film) {
      options.addArguments('--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${film}`);
    }
    // The device's key is its own.
    if (insecure) options.setAcceptInsecureCerts(true);
    const preferences = new logging.Preferences();
    preferences.setLevel(logging.Type.BROWSER, logging.Level.ALL);
    preferences.setLevel(logging.Type.PERFORMANCE, logging.Level.ALL);
    options.setLoggingPrefs(preferences);
    options.setPerfLoggingPrefs({ enableNetwork: true, enablePage: false });
    const service = new chrome.ServiceBuilder(process.env.CHROMEDRIVER ?? '/usr/bin/chromedriver');
    const page = new Page();
    page.driver = await new Builder().forBrowser('chrome').setChromeOptions(options).setChromeService(service).build();
    page.requests = [];
    await page.driver.sendDevToolsCommand('Emulation.setDeviceMetricsOverride',
      { ...size, deviceScaleFactor: 1, mobile: size.width < 600 });
    if (dark) {
      await page.driver.sendDevToolsCommand('Emulation.setEmulatedMedia',
        { features: [{ name: 'prefers-color-scheme', value: 'dark' }] });
    }
    await page.driver.get(url);
    await page.see(() => page.script('return document.getElementById("summary").textContent !== "Asking the device …"'), 'the page is there');
    return page;
  }

  script(text, ...args) {
    return this.driver.executeScript(text, ...args);
  }

  see(is, what, limit) {
    return until(is, what, limit);
  }

  find(selector) {
    return this.driver.findElement(By.css(selector));
  }

  text(selector) {
    return this.script('return document.querySelector(arguments[0])?.textContent ?? ""', selector);
  }

  /** Clicks the button of this text inside `selector`, once it is there. */
  async click(text, selector = 'body') {
    const find = () => this.script(
      `const found = [...document.querySelectorAll(arguments[0] + ' button, ' + arguments[0] + ' summary')];
       return found.find((one) => (one.textContent.trim() === arguments[1] || one.getAttribute('aria-label') === arguments[1])
         && one.checkVisibility() && !one.disabled)`,
      selector, text);
    await this.press(find, `a button "${text}"`);
  }

  /** Presses what may move, or be another one, while the page fills. */
  async press(find, what) {
    await this.see(async () => {
      try {
        const button = await find();
        if (!button) return false;
        await this.script('arguments[0].scrollIntoView({ block: "center" })', button);
        await button.click();
        return true;
      } catch (problem) {
        if (['ElementClickInterceptedError', 'StaleElementReferenceError'].includes(problem.name)) return false;
        throw problem;
      }
    }, what);
  }

  async open(id) {
    if (!await this.script('return document.getElementById(arguments[0]).open', id)) {
      await this.press(() => this.find(`#${id} summary`), `${id} is opened`);
    }
  }

  async name(cls) {
    await this.find('#add-name').sendKeys(cls, Key.ENTER);
    await this.see(() => this.script('return document.querySelector(`[data-class="${arguments[0]}"]`)', cls), `a card of ${cls}`);
  }

  /** Which class the camera shows now, told by the film's own pictures. */
  async shown(scene) {
    const grey = await this.script(
      `const video = document.getElementById('video');
       if (!video.videoWidth) return null;
       const canvas = document.createElement('canvas');
       [canvas.width, canvas.height] = [16, 12];
       const context = canvas.getContext('2d', { alpha: false });
       context.imageSmoothingQuality = 'high';
       context.drawImage(video, 0, 0, 16, 12);
       const { data } = context.getImageData(0, 0, 16, 12);
       const grey = [];
       for (let at = 0; at < data.length; at += 4) grey.push(0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2]);
       return grey`);
    if (!grey) return null;
    const far = (one) => one.grey.reduce((sum, level, at) => sum + Math.abs(level - grey[at]), 0);
    return scene.shown.reduce((best, one) => (far(one) < far(best) ? one : best)).class;
  }

  /** Waits for the camera to show a class that it has not shown a moment before. */
  async begins(scene, cls) {
    await this.see(async () => await this.shown(scene) !== cls, `something else than ${cls}`, 30_000);
    await this.see(async () => await this.shown(scene) === cls, `the camera shows ${cls}`, 30_000);
  }

  async hold(cls, milliseconds, key = false) {
    const button = await this.find(`[data-class="${cls}"] .take`);
    await this.see(() => button.isDisplayed(), `the button of ${cls}`);
    await this.script('arguments[0].scrollIntoView({ block: "center" })', button);
    if (key) {
      await this.script('arguments[0].focus()', button);
      await this.driver.actions().keyDown(Key.SPACE).pause(milliseconds).keyUp(Key.SPACE).perform();
    } else {
      await this.driver.actions().move({ origin: button }).press().pause(milliseconds).release().perform();
    }
  }

  /** What it says it sees. */
  async answer() {
    return (await this.text('#said')).split(' · ')[0];
  }

  /** Chooses files for a class. */
  async choose(cls, paths) {
    await this.give(`[data-class="${cls}"] input[multiple]`, paths.join('\n'));
  }

  /** Gives a field something, which may be another field while the page fills. */
  async give(selector, what) {
    await this.see(async () => {
      try {
        await this.find(selector).sendKeys(what);
        return true;
      } catch (problem) {
        if (['StaleElementReferenceError', 'NoSuchElementError'].includes(problem.name)) return false;
        throw problem;
      }
    }, `a field ${selector}`);
  }

  /** No rule of axe is broken. */
  async isAccessible(view) {
    await this.script(axe);
    const found = await this.driver.executeAsyncScript(
      `const done = arguments[arguments.length - 1];
       axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations.map((one) =>
         one.id + ': ' + one.nodes.map((node) => node.target.join(' ') + ' ' + node.failureSummary).join('; '))), (error) => done([String(error)]));`);
    assert.deepEqual(found, [], `axe-core finds nothing to say about: ${view}`);
  }

  /** Every address that was asked for so far. */
  async asked() {
    for (const entry of await this.driver.manage().logs().get(logging.Type.PERFORMANCE)) {
      const { message } = JSON.parse(entry.message);
      if (message.method === 'Network.requestWillBeSent') this.requests.push(message.params.request.url);
    }
    return this.requests;
  }

  /** What the browser complained about: refused by the policy, or thrown. */
  async complaints() {
    const entries = await this.driver.manage().logs().get(logging.Type.BROWSER);
    return entries.map((entry) => entry.message).filter((text) => !/status of (404|409|503)/.test(text));
  }

  /** A picture of the window, as a WebP file. */
  async picture(path) {
    const { data } = await this.driver.sendAndGetDevToolsCommand('Page.captureScreenshot', { format: 'webp', quality: 80 });
    writeFileSync(path, Buffer.from(data, 'base64'));
  }

  close() {
    return this.driver.quit();
  }
}
