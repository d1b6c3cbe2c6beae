"""The whole job by PyTorch's usual loop, the frozen backbone run again each epoch: see `peers.job`."""

import torch
from torch import nn

from peers import job, job_torch, torch_network


def learn(prepared, images, labels, epochs):
    backbone = torch_network.frozen(prepared / "backbone.pt")
    labels = torch.from_numpy(labels)
    clock = job.Clock()
    # Preprocessed once, which is kinder than the usual loader.
    pixels = torch.from_numpy(job.preprocess(images)).to(memory_format=torch.channels_last)
    features_s = clock.lap()
    head = nn.Linear(torch_network.FEATURES, job.CLASSES)

    def inputs_of(batch):
        # Nothing below the head asks for gradients, so autograd records nothing there.
        return backbone(pixels[batch].contiguous(memory_format=torch.channels_last))

    job_torch.descend(head, epochs, len(images), inputs_of, labels)
    return features_s, clock.lap(), job_torch.answerer(backbone, head)


if __name__ == "__main__":
    job.run(learn)
