"""A tail trained by PyTorch's usual loop, from the last blocks on, the frozen layers run again each epoch: see `peers.job`.

    python -m peers.job_torch_tail PREPARED EPOCHS [--test]

Uses as many threads as `OMP_NUM_THREADS` says.
"""

import torch
from torch import nn

from peers import job, torch_network
from peers.works import FROZEN

RATE, DECAY, WARM_UP = 1e-3, 0.01, 0.1


def learn(prepared, images, labels, epochs):
    backbone = torch_network.frozen(prepared / "backbone.pt")
    # The first convolution and its activation stand before the first block.
    frozen, tail = backbone.layers[: 2 + FROZEN], backbone.layers[2 + FROZEN :]
    tail.requires_grad_(True)
    labels = torch.from_numpy(labels)
    clock = job.Clock()
    # Preprocessed once, which is kinder than the usual loader.
    pixels = torch.from_numpy(job.preprocess(images)).to(memory_format=torch.channels_last)
    features_s = clock.lap()
    head = nn.Linear(torch_network.FEATURES, job.CLASSES)
    parameters = [*tail.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(parameters, RATE, weight_decay=DECAY)
    steps = epochs * -(-len(images) // job.BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps, pct_start=WARM_UP)
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    torch.manual_seed(1)
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(job.BATCH):
            optimiser.zero_grad()
            with torch.no_grad():
                x = frozen(pixels[batch].contiguous(memory_format=torch.channels_last))
            loss(head(tail(x).mean([2, 3])), labels[batch]).backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            schedule.step()
    train_s = clock.lap()

    def answer(images):
        with torch.inference_mode():
            parts = torch.from_numpy(job.preprocess(images)).split(16)
            return torch.cat([head(backbone(part)).argmax(1) for part in parts]).numpy()

    return features_s, train_s, answer


if __name__ == "__main__":
    job.run(learn)
